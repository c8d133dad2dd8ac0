job "shop" {
  datacenters = ["dc1"]
  group "web" {
    task "shop" {
      driver = "exec"
      config {
        image        = "registry.corp.example/shop:ltsc2022"
        security_opt = ["credentialspec=file://corp_webapp.json"]
      }
    }
  }
}
