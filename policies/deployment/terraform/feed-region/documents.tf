# The policies of the queue and of the role.
locals {
  name      = "rescind-findings"
  heartbeat = "rescind-heartbeat"
  rules     = "arn:${local.partition}:events:${local.region}:${local.account}:rule"
  rule_arn  = "${local.rules}/${local.name}"
  queue_arn = "arn:${local.partition}:sqs:${local.region}:${local.account}:${local.name}-undelivered"

  trust = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OurRulesRunAs"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnEquals    = { "aws:SourceArn" = [local.rule_arn, "${local.rules}/${local.heartbeat}"] }
      }
    }]
  })

  send = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "SendToTheBus"
      Effect   = "Allow"
      Action   = "events:PutEvents"
      Resource = var.central_bus_arn
    }]
  })

  queue_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "OurRulesSend"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = local.queue_arn
        Condition = {
          StringEquals = { "aws:SourceAccount" = local.account }
          ArnEquals    = { "aws:SourceArn" = [local.rule_arn] }
        }
      },
      {
        Sid       = "OnlyByTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = local.queue_arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })

  pattern = jsonencode({ source = ["aws.guardduty"], "detail-type" = ["GuardDuty Finding"] })

  boundary = var.permissions_boundary == "" ? null : "arn:${local.partition}:iam::${local.account}:policy/${var.permissions_boundary}"
}
