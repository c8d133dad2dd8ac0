#!/bin/sh
# the shop and its database
docker run -d --name db registry.corp.example/db:ltsc2022
docker run -d --name shop \
  registry.corp.example/shop:ltsc2022 \
  --security-opt credentialspec=file://corp_webapp.json
