# Orbit as one static binary, without a shell and without root. The image has no PostgreSQL:
# set ORBIT_DATABASE_URL, as compose.yaml does.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /orbit ./cmd/orbit \
 && mkdir -p /data && chmod 0700 /data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /orbit /orbit
COPY --from=build --chown=65532:65532 /data /var/lib/orbit
USER 65532:65532
ENV ORBIT_LISTEN=0.0.0.0:8080 \
    ORBIT_DATA_DIR=/var/lib/orbit
# The key file that seals every secret lives here: keep the volume, and a copy of the key file elsewhere.
VOLUME /var/lib/orbit
EXPOSE 8080 51445
ENTRYPOINT ["/orbit"]
CMD ["serve"]
