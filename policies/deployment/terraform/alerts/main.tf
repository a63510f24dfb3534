# The topic that the alarms of the other modules notify: in the hub's account, in every region that gets feed-central or
# feed-region. An alarm notifies a topic of its own region only.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.id
}

# SNS's own KMS key does not let CloudWatch in, and nobody says so: the message is lost. So it is one with a policy of
# ours.
resource "aws_kms_key" "topic" {
  count = var.encryption == "kms" ? 1 : 0

  description         = "The topic of rescind's alarms."
  enable_key_rotation = true
  policy              = local.key_policy
}

resource "aws_sns_topic" "alerts" {
  name              = local.name
  kms_master_key_id = one(aws_kms_key.topic[*].arn)
}

resource "aws_sns_topic_policy" "alerts" {
  arn    = aws_sns_topic.alerts.arn
  policy = local.topic_policy
}

resource "aws_sns_topic_subscription" "email" {
  count = var.email == "" ? 0 : 1

  topic_arn = aws_sns_topic.alerts.arn
  protocol  = "email"
  endpoint  = var.email
}
