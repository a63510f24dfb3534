# The policies of the queues and of their key.
locals {
  # Also the name of the bus, and of both rules. The hub's role may receive from queues whose names
  # begin with rescind-.
  name   = "rescind-findings"
  events = "arn:${local.partition}:events:${local.region}:${local.account}"

  queue_arns = {
    for queue in ["", "-dead", "-undelivered"] :
    "${local.name}${queue}" => "arn:${local.partition}:sqs:${local.region}:${local.account}:${local.name}${queue}"
  }

  our_rules_send = {
    Sid       = "OurRulesSend"
    Effect    = "Allow"
    Principal = { Service = "events.amazonaws.com" }
    Action    = "sqs:SendMessage"
    Condition = {
      StringEquals = { "aws:SourceAccount" = local.account }
      ArnEquals = {
        # The rule on the default bus, and the one on our bus.
        "aws:SourceArn" = ["${local.events}:rule/${local.name}", "${local.events}:rule/${local.name}/${local.name}"]
      }
    }
  }

  only_by_tls = {
    Sid       = "OnlyByTls"
    Effect    = "Deny"
    Principal = "*"
    Action    = "sqs:*"
    Condition = { Bool = { "aws:SecureTransport" = "false" } }
  }

  queue_policies = {
    for queue, arn in local.queue_arns : queue => jsonencode({
      Version = "2012-10-17"
      # Nobody sends to the dead-letter queue but SQS itself.
      Statement = [
        for statement in [local.our_rules_send, local.only_by_tls] : merge(statement, { Resource = arn })
        if statement.Sid == "OnlyByTls" || queue != "${local.name}-dead"
      ]
    })
  }

  key_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AccountAdministers"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "EventBridgeEncrypts"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = ["kms:GenerateDataKey", "kms:Decrypt"]
        Resource  = "*"
        Condition = {
          StringEquals = { "aws:SourceAccount" = local.account }
          ArnLike      = { "aws:SourceArn" = "${local.events}:rule/*" }
        }
      },
      {
        Sid       = "HubReads"
        Effect    = "Allow"
        Principal = { AWS = var.hub_role_arn }
        Action    = "kms:Decrypt"
        Resource  = "*"
        Condition = { StringLike = { "kms:ViaService" = "sqs.${local.region}.*" } }
      },
    ]
  })

  pattern = jsonencode({ source = ["aws.guardduty"], "detail-type" = ["GuardDuty Finding"] })
}
