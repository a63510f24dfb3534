# rescind on a single host: one instance with the package and systemd, and a volume with the configuration and the ledger
# that outlives it. In the hub's account. How to go on from there: ../../hub/host.yaml and docs/deployment.md.

data "aws_partition" "current" {}

locals {
  partition = data.aws_partition.current.partition
  volume    = aws_ebs_volume.ledger.id
  notified  = var.alert_topic_arn == "" ? [] : [var.alert_topic_arn]
}

# The volume has /etc/rescind and /var/lib/rescind.
resource "aws_ebs_volume" "ledger" {
  availability_zone = var.availability_zone
  encrypted         = true
  size              = 20
  type              = "gp3"
  tags              = { Name = "rescind-ledger" }

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_volume_attachment" "ledger" {
  device_name = "/dev/sdf"
  instance_id = aws_instance.host.id
  volume_id   = aws_ebs_volume.ledger.id
  # The ledger is written to until then.
  stop_instance_before_detaching = true
}

resource "aws_security_group" "egress" {
  description = "rescind calls AWS, and nobody calls it."
  vpc_id      = var.vpc_id

  egress {
    description = "The AWS APIs."
    protocol    = "tcp"
    from_port   = 443
    to_port     = 443
    cidr_blocks = ["0.0.0.0/0"]
  }
}

# The instance's role is the hub's. So it gets no more than Session Manager needs, and the package: the managed policy for
# it would let it read every parameter of this account.
resource "aws_iam_role_policy" "host" {
  name   = "RescindHost"
  role   = var.hub_role_name
  policy = local.host
}

resource "aws_iam_role_policy" "package" {
  count = local.from_bucket ? 1 : 0

  name   = "RescindPackage"
  role   = var.hub_role_name
  policy = local.package
}

resource "aws_instance" "host" {
  ami                         = var.image_id
  instance_type               = var.instance_type
  iam_instance_profile        = var.instance_profile_name
  availability_zone           = var.availability_zone
  subnet_id                   = var.subnet_id
  vpc_security_group_ids      = [aws_security_group.egress.id]
  associate_public_ip_address = false
  # A new package comes with a stop and a start.
  user_data                   = local.user_data
  user_data_replace_on_change = false
  tags                        = { Name = "rescind" }

  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  root_block_device {
    encrypted = true
  }

  depends_on = [aws_iam_role_policy.host]
}

# Of a stopped instance there are no figures.
resource "aws_cloudwatch_metric_alarm" "host" {
  alarm_name          = "rescind-host"
  alarm_description   = "For three minutes rescind's host has failed its status checks, or has not run."
  namespace           = "AWS/EC2"
  metric_name         = "StatusCheckFailed"
  dimensions          = { InstanceId = aws_instance.host.id }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 3
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = local.notified
  ok_actions          = local.notified
}
