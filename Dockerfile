# prekraft, and Debian's Apache ZooKeeper for the ensemble of compose.yaml.
FROM node:22-bookworm-slim AS build
WORKDIR /prekraft
COPY . .
RUN npm ci --no-audit --no-fund && npm prune --omit=dev --ignore-scripts

FROM node:22-bookworm-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends zookeeper default-jre-headless \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /prekraft
COPY --from=build /prekraft /prekraft
ENV PATH=/prekraft/bin:$PATH
VOLUME /data
CMD ["bin/kafka-server-start.sh", "config/server.properties"]
