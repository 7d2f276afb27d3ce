# syntax=docker/dockerfile:1
FROM node:24-slim AS frontend
WORKDIR /src/frontend
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY frontend/ ./
RUN npm run build

FROM python:3.12-slim AS build
# Where the embedded Redis has no ready-made binary for the architecture, it is compiled.
RUN apt-get update && apt-get install -y --no-install-recommends gcc make libc6-dev && rm -rf /var/lib/apt/lists/*
RUN pip install --no-cache-dir uv==0.13.9
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
WORKDIR /app
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-dev --no-install-project --compile-bytecode
COPY README.md LICENSE ./
COPY inbox/ inbox/
COPY channels/ channels/
COPY routing/ routing/
COPY realtime/ realtime/
COPY --from=frontend /src/inbox/static/ inbox/static/
RUN uv sync --frozen --no-dev --no-editable --compile-bytecode

FROM python:3.12-slim
RUN useradd --system --uid 10001 --home-dir /data meridian && install -d -o meridian -m 0711 /data
COPY --from=build /app/.venv /app/.venv
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 DATA_DIR=/data HOST=0.0.0.0 PORT=8000
USER meridian
WORKDIR /data
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/health/ready', timeout=4)"]
ENTRYPOINT ["inbox"]
CMD ["serve"]
