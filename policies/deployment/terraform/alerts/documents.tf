# The policies of the topic and of its key.
locals {
  name      = "rescind-alerts"
  topic_arn = "arn:${local.partition}:sns:${local.region}:${local.account}:${local.name}"

  # Two of the three statements of the key are those of policies/topic-key.json.
  for_topics = jsondecode(templatefile("${path.module}/../../../topic-key.json", {
    HUB_ACCOUNT  = local.account
    HUB_ROLE_ARN = var.hub_role_arn
  }))

  account_administers = {
    Sid       = "AccountAdministers"
    Effect    = "Allow"
    Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
    Action    = "kms:*"
    Resource  = "*"
  }

  key_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = concat([local.account_administers], local.for_topics.Statement)
  })

  topic_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AlarmsTell"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = local.topic_arn
        Condition = {
          StringEquals = { "aws:SourceAccount" = local.account }
          ArnLike      = { "aws:SourceArn" = "arn:*:cloudwatch:*:${local.account}:alarm:rescind-*" }
        }
      },
      {
        Sid       = "OnlyByTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = local.topic_arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}
