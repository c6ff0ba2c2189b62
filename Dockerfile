# syntax=docker/dockerfile:1
FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE lastlook.py ./
COPY inspector inspector
COPY models models
COPY station station
COPY api api
COPY demo demo
RUN python -m venv /opt/lastlook \
 && /opt/lastlook/bin/pip install --no-cache-dir --constraint constraints.txt '.[postgres]' \
 && /opt/lastlook/bin/pip uninstall --yes pip

FROM python:3.12-slim
# OpenCV's window code wants these libraries even where no window is opened.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libgl1 libglib2.0-0 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --create-home --home-dir /data lastlook
COPY --from=build /opt/lastlook /opt/lastlook
ENV PATH=/opt/lastlook/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    LASTLOOK_DATA=/data \
    LASTLOOK_HOST=0.0.0.0 \
    LASTLOOK_PORT=8321
USER lastlook
VOLUME /data
EXPOSE 8321
# Ready, not merely alive: the database answers and a golden picture is judged as it should be.
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8321/readyz', timeout=8)"]
ENTRYPOINT ["lastlook"]
CMD ["serve"]
