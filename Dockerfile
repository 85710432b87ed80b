# The dafl command and its HTTP server: docker build -t dafl . && docker run --rm -v "$PWD:/work" dafl doctor
# The packages are packed in one stage and installed in the other, as a user would: no sources, no development tools.
FROM node:24-slim AS build
WORKDIR /repository
COPY . .
RUN npm ci --ignore-scripts && mkdir /packed && node scripts/pack-all.ts /packed

FROM node:24-slim
WORKDIR /opt/dafl
RUN --mount=from=build,source=/packed,target=/packed \
    npm install --omit=dev --no-audit --no-fund --ignore-scripts /packed/*.tgz && npm cache clean --force
ENV PATH=/opt/dafl/node_modules/.bin:$PATH DAFL_CACHE_DIR=/tmp/dafl
USER node
WORKDIR /work
EXPOSE 8080
ENTRYPOINT ["dafl"]
CMD ["--help"]
