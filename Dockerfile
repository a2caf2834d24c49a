ARG DEBIAN=trixie-slim

FROM debian:${DEBIAN} AS build
# The versions that matter are in requirements.lock; of Debian's Python we want the newest security fix, not a pinned build.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY requirements.lock ./
RUN python3 -m venv /opt/mainspring \
    && /opt/mainspring/bin/pip install --no-cache-dir --no-compile --require-hashes -r requirements.lock
COPY LICENSE README.md pyproject.toml ./
COPY controller controller
# What only builds is removed again. The byte-code is not checked against its source at run time: nobody can write there,
# and times that a registry or a reproducible build rewrites cannot spoil it.
RUN /opt/mainspring/bin/pip install --no-cache-dir --no-compile --no-deps --no-build-isolation . \
    && /opt/mainspring/bin/pip uninstall --yes setuptools pip \
    && python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/mainspring/lib

FROM debian:${DEBIAN}
LABEL org.opencontainers.image.title="mainspring" \
      org.opencontainers.image.description="Keeps data syncs on schedule: desired schedules in Git, one controller that makes the platform's job list agree." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
# git, ssh and gpg are for specs that come from Git. The user has a name because ssh refuses to run for one that has none.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git gpg openssh-client python3 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 65532 mainspring \
    && useradd --uid 65532 --gid 65532 --no-create-home --home-dir /var/lib/mainspring --shell /usr/sbin/nologin mainspring \
    && install --directory --owner=65532 --group=65532 --mode=0700 /var/lib/mainspring
COPY --from=build /opt/mainspring /opt/mainspring
# The state directory is the only place written to: the root file system may be read-only, and there need be no /tmp.
ENV HOME=/var/lib/mainspring \
    TMPDIR=/var/lib/mainspring \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 65532:65532
WORKDIR /var/lib/mainspring
VOLUME /var/lib/mainspring
ENTRYPOINT ["/opt/mainspring/bin/mainspring"]
CMD ["run"]
