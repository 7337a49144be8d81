"""An emulation of Microsoft Entra's provisioning engine, as far as its wire behaviour is publicly known.

names → directory → changes   an invented directory and its believable life, deterministic for a seed
dialect                       the bodies: POST, and PATCH in two dialects
sender → ledger → engine      retry, what was acknowledged, cycles with escrow
compare → report              reading back, and what came out
"""
