# Two stages: the first installs the pinned packages and the project into an environment, the second carries only that.
FROM python:3.13-slim-bookworm AS build

WORKDIR /src
COPY requirements.lock requirements-build.lock ./
RUN python -m venv /opt/scim-server \
 && /opt/scim-server/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements.lock
# The build tool goes into this stage's own Python, so the environment stays without it.
RUN pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements-build.lock
COPY pyproject.toml README.md LICENSE THIRD_PARTY.md wsgi.py ./
COPY scim_server scim_server
COPY oidc oidc
COPY conformance conformance
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels . \
 && /opt/scim-server/bin/pip install --no-cache-dir --no-deps /wheels/*.whl


FROM python:3.13-slim-bookworm

RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/scim-server scim
COPY --from=build /opt/scim-server /opt/scim-server
ENV PATH=/opt/scim-server/bin:$PATH \
    HOST=0.0.0.0 \
    PORT=8000 \
    DATA_DIR=/var/lib/scim-server/data
USER 10001
WORKDIR /var/lib/scim-server
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/readyz', timeout=4)"]
CMD ["scim-server", "serve"]
