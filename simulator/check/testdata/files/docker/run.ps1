docker run -d `
  --security-opt "credentialspec=file://C:\ProgramData\docker\CredentialSpecs\corp_webapp.json" `
  --user ContainerAdministrator `
  registry.corp.example/shop:ltsc2022
