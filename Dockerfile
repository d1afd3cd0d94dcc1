# The bot with its starter bundle, on CPU. Data lives in the volume /data.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY bot bot
COPY config config
COPY engine engine
COPY storage storage
COPY training training
RUN python -m venv /nextreel \
    && /nextreel/bin/pip install --no-cache-dir --constraint constraints.txt ".[cpu,postgres]"

FROM python:3.11-slim-bookworm
# PostgreSQL's client programs are for “nextreel db backup” and “nextreel db restore”. Their version is Debian's: a pinned
# one is gone with the next security update.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-client \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --home-dir /data --create-home nextreel
COPY --from=build /nextreel /nextreel
ENV PATH=/nextreel/bin:$PATH \
    NEXTREEL_DATA_DIR=/data \
    PYTHONUNBUFFERED=1
USER 10001
VOLUME /data
HEALTHCHECK --interval=5m --timeout=20s --start-period=20s CMD ["nextreel", "doctor"]
ENTRYPOINT ["nextreel"]
CMD ["chat"]
