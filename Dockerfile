# docker build --build-arg VERSION=$(git describe --always --dirty) -t claimsync .
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
# The repository is not copied, so the version is said: it is in the log, at /metrics and in the console.
ARG VERSION=devel
ARG TARGETOS
ARG TARGETARCH
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false \
    -ldflags="-s -w -X github.com/claimsync/claimsync.linkedVersion=$VERSION" -o /app ./cmd/app

# Nothing but certificates and time zones: no shell, no package manager. app serve writes to no file.
FROM gcr.io/distroless/static-debian12:nonroot
ARG VERSION=devel
LABEL org.opencontainers.image.title="claimsync" \
      org.opencontainers.image.description="Keeps Clerk organization metadata equal to what Postgres says" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION"
COPY --from=build /app /app
# By number: Kubernetes cannot tell of a name that it is not root's.
USER 65532:65532
# All addresses, for the port to be published; ADMIN_TOKEN is then required.
ENV HTTP_ADDR=:8080
EXPOSE 8080
# It gives up after 3 s by itself, and says why. A failing check restarts nothing: the first start may migrate for long.
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=3 CMD ["/app", "healthcheck"]
# Docker's own, and what the program takes for a graceful stop.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/app"]
CMD ["serve"]
