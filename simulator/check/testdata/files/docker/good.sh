docker run --rm --security-opt credentialspec=file://corp_webapp.json registry.corp.example/shop:ltsc2022 cmd /c whoami
