resource "aws_ecs_task_definition" "shop" {
  family             = "shop"
  execution_role_arn = "arn:aws:iam::123456789012:role/shop-execution"
  container_definitions = jsonencode([
    {
      name            = "shop"
      image           = "registry.corp.example/shop:ltsc2022"
      credentialSpecs = ["credentialspec=arn:aws:s3:::corp-specs/webapp.json"]
    }
  ])
}
