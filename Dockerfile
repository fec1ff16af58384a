# The image holds one file. Build:   docker build -t dtsbatch .
#                                    buildah bud -t dtsbatch .
# Run:    docker run --rm --read-only --user "$(id -u)" -v "$PWD:/data" \
#             -e ALIBABA_CLOUD_ACCESS_KEY_ID -e ALIBABA_CLOUD_ACCESS_KEY_SECRET \
#             dtsbatch plan jobs.ini
#
# The result does not depend on the base image beyond its compiler and its CA
# certificates. To fix those too, name the base by digest:
#   --build-arg BASE=debian@sha256:...
ARG BASE=debian:12-slim

FROM ${BASE} AS build
WORKDIR /src
COPY . .
# The history stays outside: --build-arg SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)"
ARG SOURCE_DATE_EPOCH
RUN ./build.sh --install-deps && mkdir -p /image/data && cp build/dtsbatch /image/ && \
    chmod 0555 /image/dtsbatch /image/data

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="dtsbatch" \
      org.opencontainers.image.description="Applies INI manifests to Alibaba Cloud DTS: plan, apply, destroy" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.vendor="dtsbatch authors" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /image/ /
# No account file, no shell, nothing to write to but what is mounted at /data.
USER 65532:65532
WORKDIR /data
ENTRYPOINT ["/dtsbatch"]
CMD ["--help"]
