docker service create --name shop --credential-spec File://corp_webapp.json registry.corp.example/shop:ltsc2022
docker service create --name admin --credential-spec raw://{} registry.corp.example/admin:ltsc2022
