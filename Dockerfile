# Two images: `operator` (controller, webhook and command line) and `python` (the files copied into instrumented pods).
# Built without network but for the Python index; how to reach that is given to the build, never written here.
ARG PYTHON_BASE=docker.io/library/python:3.11-slim
ARG RUNTIME_BASE=docker.io/library/busybox:1.37

# ---- the operator's packages: an environment of its own, so that nothing of the build is left in the image
FROM ${PYTHON_BASE} AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore PYTHONDONTWRITEBYTECODE=1
WORKDIR /build
RUN python3 -m venv --without-pip /opt/llmobs && python3 -m venv --without-pip /opt/build
COPY requirements/operator.lock requirements/build.lock requirements/
RUN python3 -m pip --python /opt/llmobs/bin/python install --quiet --no-compile --require-hashes -r requirements/operator.lock \
 && python3 -m pip --python /opt/build/bin/python install --quiet --require-hashes -r requirements/build.lock
COPY pyproject.toml README.md LICENSE ./
COPY operator operator
# Built where setuptools is, installed where it is not. Byte code by hash: the times of files change when layers are made, and a
# container that can't write would compile everything anew at each start.
RUN /opt/build/bin/python -c "from setuptools import build_meta; build_meta.build_wheel('/build')" \
 && python3 -m pip --python /opt/llmobs/bin/python install --quiet --no-compile --no-deps --no-index /build/llm_observability_operator-*.whl \
 && /opt/llmobs/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/llmobs/lib

FROM ${PYTHON_BASE} AS operator
LABEL org.opencontainers.image.title="llm-observability-operator" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=packages /opt/llmobs /opt/llmobs
ENV PATH=/opt/llmobs/bin:/usr/local/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532:65532
ENTRYPOINT ["llmobs"]

# ---- the files for instrumented Python applications
FROM ${PYTHON_BASE} AS bundle
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY runtime/python /build
RUN python3 /build/build.py --output /llmobs/python

FROM ${RUNTIME_BASE} AS python
LABEL org.opencontainers.image.title="llm-observability-operator: runtime for Python applications" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=bundle /llmobs/python /llmobs/python
USER 65532:65532
