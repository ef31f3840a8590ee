# syntax=docker/dockerfile:1
# One binary that serves the page, in an image with nothing else:
#   docker build --build-arg VERSION="$(git describe --tags --always)" -t fechatter .
#   docker run -p 8080:8080 -v fechatter:/data fechatter
# Two images build it and none is beneath it. They are named by tags, which may move: to
# have the same ones always, name them by digest (docs/operations.md, "Releases").
ARG NODE_IMAGE=node:22-bookworm-slim
ARG GO_IMAGE=golang:1.26-bookworm

FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS page
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY web/ ./
RUN npm run build

FROM --platform=$BUILDPLATFORM ${GO_IMAGE} AS program
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=page /src/web/dist web/dist
ARG TARGETOS TARGETARCH VERSION=dev
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false -ldflags "-s -w -buildid= -X main.version=$VERSION" -o /out/fechatter . \
  && mkdir /out/data

FROM scratch
# Whom TLS to PostgreSQL, NATS, Redis and others trusts.
COPY --from=program /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=program /out/fechatter /fechatter
# A new volume is a copy of what the image has there, owner included.
COPY --from=program --chown=65532:65532 /out/data /data
USER 65532:65532
# From here the default paths, data/…, lie in the volume. They must stay defaults: a
# variable set by the image would override a mounted chat.yml.
WORKDIR /
# The admin listener stays on the container's own loopback: who wants its metrics sets
# FECHATTER_ADMIN_LISTEN, and publishes it to nobody but Prometheus.
ENV FECHATTER_LISTEN=0.0.0.0:8080
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=4s --start-period=30s --retries=3 CMD ["/fechatter", "healthcheck"]
ENTRYPOINT ["/fechatter"]
