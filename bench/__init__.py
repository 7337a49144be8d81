"""Measurements. Figures are ratios and curves: absolute times say more of the machine than of the server."""
