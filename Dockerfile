# syntax=docker/dockerfile:1
# One binary with the page in it, in an image that holds nothing else:
#   docker build --build-arg VERSION="$(git describe --tags --always)" -t fechatter .
#   docker run -p 8080:8080 -v fechatter:/data fechatter
FROM --platform=$BUILDPLATFORM node:22-bookworm-slim AS page
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY web/ ./
RUN npm run build

FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS program
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=page /src/web/dist web/dist
ARG TARGETOS TARGETARCH VERSION=dev
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /out/fechatter . \
  && mkdir /out/data

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=program /out/fechatter /fechatter
# A volume begins as a copy of what the image has there: the owner counts.
COPY --from=program --chown=65532:65532 /out/data /data
USER 65532:65532
# From here the defaults, data/…, are in the volume. They stay defaults: a variable of
# the image would be above a chat.yml that somebody mounts.
WORKDIR /
# The admin listener is for the network of the containers: never publish 9090.
ENV FECHATTER_LISTEN=0.0.0.0:8080 \
  FECHATTER_ADMIN_LISTEN=0.0.0.0:9090
VOLUME /data
EXPOSE 8080 9090
HEALTHCHECK --interval=5s --timeout=4s --start-period=30s --retries=3 CMD ["/fechatter", "healthcheck"]
ENTRYPOINT ["/fechatter"]
