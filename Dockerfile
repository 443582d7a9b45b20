# edgefvm with engine wasmedge, on Debian 13, which has libwasmedge.
#
#   docker build -t edgefvm .
#   docker build -t edgefvm --build-arg WARM=v18/mainnet .     with that bundle's machine code in it (10 minutes more)
#   docker run --rm -v "$PWD:/src:ro" edgefvm vectors run /src/lab/conformance/testdata
#
# The code that is made here runs on every processor of the architecture. What is not in the image is compiled
# when it is needed, into /var/cache/edgefvm: make that a volume to keep it.
ARG GO_VERSION=1.26

FROM golang:${GO_VERSION}-trixie AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends libwasmedge-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN CGO_ENABLED=1 go build -trimpath -tags wasmedge -o /out/edgefvm ./cmd/edgefvm
# The actors, so that the image needs no Go. They come from the Go module of Lotus. Those of the network "testing"
# are for some of the repository's vectors, which the line above runs.
RUN mkdir -p /out/bundles \
 && for b in $(/out/edgefvm bundle list | awk '$1 ~ /\/(mainnet|calibrationnet|testing)$/ { print $1 }'); do \
      /out/edgefvm bundle export "$b" --out "/out/bundles/$(echo "$b" | tr / -).car" || exit 1; \
    done

FROM build AS cache
ARG WARM=
RUN mkdir -p /out/cache \
 && for b in ${WARM}; do \
      /out/edgefvm cache build --engine wasmedge --generic --cache /out/cache --bundles /out/bundles --bundle "$b" || exit 1; \
    done

FROM debian:trixie-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends libwasmedge0 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --create-home edgefvm
COPY --from=build /out/edgefvm /usr/local/bin/edgefvm
COPY --from=build /out/bundles /usr/share/edgefvm/bundles
COPY --from=cache --chown=edgefvm:edgefvm /out/cache /var/cache/edgefvm
ENV EDGEFVM_ENGINE=wasmedge \
    EDGEFVM_CACHE=/var/cache/edgefvm \
    EDGEFVM_BUNDLES=/usr/share/edgefvm/bundles
USER edgefvm
WORKDIR /home/edgefvm
ENTRYPOINT ["edgefvm"]
CMD ["--help"]
