# The image of the server and of its commands: `docker build -t v2v .`, then any `manage.py` command.

ARG PYTHON=3.12

FROM python:${PYTHON}-slim-bookworm AS builder
WORKDIR /app
COPY requirements/ requirements/
# The lock of the development tools holds uv; the image gets what runs the server, and nothing else.
RUN sed -n '/^uv==/,/[^\\]$/p' requirements/dev.txt > /tmp/uv.txt \
    && pip install --no-cache-dir --require-hashes -r /tmp/uv.txt \
    && python -m venv --without-pip /opt/venv \
    && uv pip sync --no-cache --require-hashes --compile-bytecode --python /opt/venv/bin/python requirements/runtime.txt
COPY . .
RUN VAR_DIR=/tmp/build STATIC_ROOT=/app/staticfiles /opt/venv/bin/python manage.py collectstatic --noinput \
    && /opt/venv/bin/python -m compileall -q .

FROM python:${PYTHON}-slim-bookworm AS runtime
RUN useradd --system --uid 10001 --home-dir /var/lib/v2v --create-home --shell /usr/sbin/nologin v2v
COPY --from=builder /opt/venv /opt/venv
COPY --from=builder /app /app
WORKDIR /app
ARG VERSION=0.1.0
ARG BUILD_TIMESTAMP=
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    VAR_DIR=/var/lib/v2v \
    STATIC_ROOT=/app/staticfiles \
    V2V_VERSION=${VERSION} \
    V2V_BUILD_TIMESTAMP=${BUILD_TIMESTAMP}
USER v2v
VOLUME /var/lib/v2v
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["python", "scripts/healthcheck.py"]
ENTRYPOINT ["python", "manage.py"]
CMD ["serve"]
