FROM node:24-bookworm-slim AS build
# The zstd binding is compiled where its prebuilt binary can't be fetched.
RUN apt-get update && apt-get install -y --no-install-recommends build-essential python3 && rm -rf /var/lib/apt/lists/*
WORKDIR /srdf
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev

FROM node:24-bookworm-slim
# glibc would keep an arena of freed memory for each thread.
ENV MALLOC_ARENA_MAX=2
WORKDIR /srdf
COPY --from=build /srdf/node_modules node_modules
COPY --from=build /srdf/dist dist
COPY package.json LICENSE srdf.example.yaml srdf.schema.json ./
COPY deploy/compose/make-keys.sh /usr/share/srdf/
# The folders belong to the user before a volume is laid over them: a new volume takes that over.
RUN ln -s /srdf/dist/client/bin.js /usr/local/bin/srdf \
 && install -d -o node -g node -m 0700 /var/lib/srdf /etc/srdf/keys
USER node
ENTRYPOINT ["node", "/srdf/dist/client/bin.js"]
CMD ["--help"]
