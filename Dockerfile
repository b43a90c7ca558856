# The images of the project: `operator` (controller, webhook, command line) and `python` (what is copied into Python pods).
#   docker build --target operator -t llm-observability-operator:dev .
#   docker build --target python   -t llm-observability-operator-python:dev .
ARG PYTHON_BASE=docker.io/library/python:3.11-slim
ARG RUNTIME_BASE=docker.io/library/busybox:1.37

FROM ${PYTHON_BASE} AS packages
WORKDIR /build
COPY requirements/operator.lock requirements/operator.lock
RUN python3 -m venv --without-pip /opt/llmobs && \
    python3 -m pip --python /opt/llmobs/bin/python install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/operator.lock
COPY pyproject.toml README.md LICENSE ./
COPY requirements/build.lock requirements/build.lock
COPY operator operator
RUN python3 -m venv --without-pip /build/backend && \
    python3 -m pip --python /build/backend/bin/python install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/build.lock && \
    python3 -m pip --python /build/backend/bin/python wheel --no-cache-dir --no-deps --no-build-isolation --no-index -w /build/wheel . && \
    python3 -m pip --python /opt/llmobs/bin/python install --no-cache-dir --disable-pip-version-check --no-deps --no-index /build/wheel/*.whl && \
    /opt/llmobs/bin/python -m compileall -q -j 0 /opt/llmobs/lib

FROM ${PYTHON_BASE} AS bundle
WORKDIR /build
COPY runtime/python runtime/python
RUN python3 runtime/python/build.py --output /llmobs/python

FROM ${RUNTIME_BASE} AS python
COPY --from=bundle /llmobs/python /llmobs/python
USER 65532:65532

FROM ${PYTHON_BASE} AS operator
COPY --from=packages /opt/llmobs /opt/llmobs
ENV PATH=/opt/llmobs/bin:/usr/local/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532:65532
ENTRYPOINT ["llmobs"]
