# An image of the server with all its plugins. Build it from a checkout:
#
#   docker build --tag flexiapi .
#   docker run --publish 127.0.0.1:8080:8080 --volume flexiapi:/var/lib/flexiapi flexiapi
#
# Settings: variables (--env APP_SIP_DOMAIN=sip.example.org), or a file at /etc/flexiapi/flexiapi.toml.
# Commands: docker exec CONTAINER flexiapi accounts create-admin the.admin --generate
# config/compose.yaml runs it with a MongoDB replica set.

# This image has git, which knows the number of the build; without .git, write it: git rev-list --count HEAD >BUILD
FROM python:3.13-bookworm AS build
WORKDIR /source
COPY . .
RUN python -m venv /opt/flexiapi \
 && /opt/flexiapi/bin/pip install --no-cache-dir --require-hashes --requirement requirements.lock
RUN /opt/flexiapi/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels \
    . ./plugins/mail-* ./plugins/outbox ./plugins/push-* ./plugins/sms-* \
 && /opt/flexiapi/bin/pip install --no-cache-dir --no-index --no-deps /wheels/*.whl

FROM python:3.13-slim-bookworm
# The embedded mongod needs libcurl4.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libcurl4 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 990 --home-dir /var/lib/flexiapi --shell /usr/sbin/nologin flexiapi \
 && install -d -o flexiapi -g flexiapi -m 0750 /var/lib/flexiapi
COPY --from=build /opt/flexiapi /opt/flexiapi
ENV PATH=/opt/flexiapi/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    SERVER_ADDRESS=0.0.0.0 \
    SERVER_PORT=8080 \
    DATA_PATH=/var/lib/flexiapi
USER flexiapi
WORKDIR /var/lib/flexiapi
VOLUME /var/lib/flexiapi
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['SERVER_PORT'] + '/health/ready', timeout=2)"]
ENTRYPOINT ["flexiapi"]
CMD ["serve"]
