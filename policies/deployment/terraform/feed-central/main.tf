# Findings within seconds: the queue that rescind receives from, with what leads to it. Once, in the
# account that is GuardDuty's delegated administrator, in the region where rescind runs. Every other
# region gets the module feed-region, which sends to the bus that is made here.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.id
  key       = one(aws_kms_key.queues[*].arn)
}

# SQS's own KMS key does not let EventBridge in, so it has to be one with a policy of ours.
resource "aws_kms_key" "queues" {
  count = var.encryption == "kms" ? 1 : 0

  description         = "The queues of rescind."
  enable_key_rotation = true
  policy              = local.key_policy

  lifecycle {
    precondition {
      condition     = var.hub_role_arn != ""
      error_message = "With encryption kms, hub_role_arn must be given."
    }
  }
}

resource "aws_sqs_queue" "findings" {
  name                      = local.name
  sqs_managed_sse_enabled   = var.encryption == "sqs" ? true : null
  kms_master_key_id         = local.key
  receive_wait_time_seconds = 20
  # What is older than this was found by the polls long ago.
  message_retention_seconds = 345600

  # rescind gives back what GuardDuty does not confirm, for longer each time: 20 receives are some
  # four hours without GuardDuty. What cannot be read gets there within minutes.
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    maxReceiveCount     = 20
  })
}

resource "aws_sqs_queue" "dead" {
  name                    = "${local.name}-dead"
  sqs_managed_sse_enabled = var.encryption == "sqs" ? true : null
  kms_master_key_id       = local.key
  # 14 days, which is the most. It counts from when the message was first sent.
  message_retention_seconds = 1209600
}

resource "aws_sqs_queue_redrive_allow_policy" "dead" {
  queue_url = aws_sqs_queue.dead.id
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.findings.arn]
  })
}

# What EventBridge could not put into the queue, for example because of its policy or its key.
resource "aws_sqs_queue" "undelivered" {
  name                      = "${local.name}-undelivered"
  sqs_managed_sse_enabled   = var.encryption == "sqs" ? true : null
  kms_master_key_id         = local.key
  message_retention_seconds = 1209600
}

resource "aws_sqs_queue_policy" "queues" {
  for_each = {
    (local.name)                = aws_sqs_queue.findings.id
    "${local.name}-dead"        = aws_sqs_queue.dead.id
    "${local.name}-undelivered" = aws_sqs_queue.undelivered.id
  }

  queue_url = each.value
  policy    = local.queue_policies[each.key]
}

resource "aws_cloudwatch_event_bus" "findings" {
  name = local.name
}

# Nobody but an AWS service can send an event whose source begins with "aws.".
resource "aws_cloudwatch_event_rule" "findings" {
  for_each = { here = "default", elsewhere = aws_cloudwatch_event_bus.findings.name }

  name           = local.name
  description    = "GuardDuty findings, to rescind's queue."
  event_bus_name = each.value
  event_pattern  = local.pattern
}

# No role: for a queue EventBridge goes by the queue's own policy.
resource "aws_cloudwatch_event_target" "queue" {
  for_each = aws_cloudwatch_event_rule.findings

  target_id      = "queue"
  rule           = each.value.name
  event_bus_name = each.value.event_bus_name
  arn            = aws_sqs_queue.findings.arn

  dead_letter_config {
    arn = aws_sqs_queue.undelivered.arn
  }

  # An event that comes before the policies do would be refused.
  depends_on = [aws_sqs_queue_policy.queues]
}
