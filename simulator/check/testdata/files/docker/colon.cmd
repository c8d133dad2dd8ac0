docker run --security-opt credentialspec:file://corp_webapp.json registry.corp.example/shop:ltsc2022
