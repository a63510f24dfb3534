# Sends the GuardDuty findings of one region to the bus of the module feed-central: in the account
# that is GuardDuty's delegated administrator, in every region with GuardDuty but that one. A rule of
# EventBridge reaches another region only by way of a bus there.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.id
  notified  = var.alert_topic_arn == "" ? [] : [var.alert_topic_arn]
}

resource "aws_cloudwatch_event_rule" "forward" {
  name          = local.name
  description   = "GuardDuty findings of this region, to rescind's bus."
  event_pattern = local.pattern
}

# Roles are global, so each region's has the region in its name.
resource "aws_iam_role" "sender" {
  name                 = "${local.name}-${local.region}"
  description          = "EventBridge sends GuardDuty findings to rescind's bus with it."
  assume_role_policy   = local.trust
  permissions_boundary = local.boundary
}

resource "aws_iam_role_policy" "send" {
  name   = "Send"
  role   = aws_iam_role.sender.name
  policy = local.send
}

resource "aws_sqs_queue" "undelivered" {
  name                      = "${local.name}-undelivered"
  sqs_managed_sse_enabled   = true
  message_retention_seconds = 1209600
}

resource "aws_sqs_queue_policy" "undelivered" {
  queue_url = aws_sqs_queue.undelivered.id
  policy    = local.queue_policy
}

resource "aws_cloudwatch_event_target" "bus" {
  target_id = "bus"
  rule      = aws_cloudwatch_event_rule.forward.name
  arn       = var.central_bus_arn
  role_arn  = aws_iam_role.sender.arn

  dead_letter_config {
    arn = aws_sqs_queue.undelivered.arn
  }

  # An event that comes before the policies do would be refused.
  depends_on = [aws_iam_role_policy.send, aws_sqs_queue_policy.undelivered]
}

# Findings are rare: that none comes says nothing. So something else goes the same way, with the same
# role, and an alarm misses it. It ends at the bus, where no rule takes it.
resource "aws_cloudwatch_event_rule" "heartbeat" {
  name                = local.heartbeat
  description         = "Shows that what this region sends reaches rescind's bus."
  schedule_expression = "rate(1 minute)"
}

resource "aws_cloudwatch_event_target" "heartbeat" {
  target_id = "bus"
  rule      = aws_cloudwatch_event_rule.heartbeat.name
  arn       = var.central_bus_arn
  role_arn  = aws_iam_role.sender.arn

  depends_on = [aws_iam_role_policy.send]
}

resource "aws_cloudwatch_metric_alarm" "undelivered" {
  alarm_name          = "${local.name}-undelivered"
  alarm_description   = "EventBridge could not send these findings to rescind's bus. The polls find them later."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.undelivered.name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.notified
  ok_actions          = local.notified
}

# The heartbeat that did not come.
resource "aws_cloudwatch_metric_alarm" "missed" {
  alarm_name          = local.heartbeat
  alarm_description   = "For five minutes no heartbeat of this region has reached rescind's bus: its findings do not either. The polls find them later."
  evaluation_periods  = 5
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  # EventBridge reports nothing of a rule that does not run.
  treat_missing_data = "breaching"
  alarm_actions      = local.notified
  ok_actions         = local.notified

  metric_query {
    id          = "came"
    label       = "rescind-heartbeat"
    expression  = "FILL(sent, 0) - FILL(failed, 0)"
    return_data = true
  }

  metric_query {
    id = "sent"

    metric {
      namespace   = "AWS/Events"
      metric_name = "Invocations"
      dimensions  = { RuleName = local.heartbeat }
      period      = 60
      stat        = "Sum"
    }
  }

  metric_query {
    id = "failed"

    metric {
      namespace   = "AWS/Events"
      metric_name = "FailedInvocations"
      dimensions  = { RuleName = local.heartbeat }
      period      = 60
      stat        = "Sum"
    }
  }
}
