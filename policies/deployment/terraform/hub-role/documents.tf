# The permissions are those of policies/hub-role-*.json: nothing is written twice.
locals {
  permissions = templatefile("${path.module}/../../../hub-role-permissions.json", {
    MEMBER_ROLE = var.member_role
  })
  organization_deny = file("${path.module}/../../../hub-role-organization-deny.json")
  archive           = file("${path.module}/../../../hub-role-archive.json")
  security_hub      = file("${path.module}/../../../hub-role-security-hub.json")
  log = templatefile("${path.module}/../../../hub-role-log.json", {
    LOG_TABLE = var.log_table
  })
  kms = templatefile("${path.module}/../../../hub-role-kms.json", {
    SIGNING_KEY_ARN = var.signing_key_arn
  })
  witness = templatefile("${path.module}/../../../hub-role-witness.json", {
    WITNESS_BUCKET = var.witness_bucket
  })

  drill = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "EnterDrill"
      Effect   = "Allow"
      Action   = ["sts:AssumeRole", "sts:SetSourceIdentity"]
      Resource = "arn:*:iam::*:role/${var.drill_role}"
    }]
  })

  instance_runs_as = {
    Sid    = "InstanceRunsAs"
    Effect = "Allow"
    # Only in China the service's name in IAM has the suffix of the partition.
    Principal = { Service = local.partition == "aws-cn" ? "ec2.amazonaws.com.cn" : "ec2.amazonaws.com" }
    Action    = "sts:AssumeRole"
  }

  # Only tasks of this account, in case ECS is asked to run one for somebody else.
  task_runs_as = {
    Sid       = "TaskRunsAs"
    Effect    = "Allow"
    Principal = { Service = "ecs-tasks.amazonaws.com" }
    Action    = "sts:AssumeRole"
    Condition = {
      StringEquals = { "aws:SourceAccount" = local.account }
      ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:ecs:*:${local.account}:*" }
    }
  }

  trusts = {
    ec2 = jsonencode({ Version = "2012-10-17", Statement = [local.instance_runs_as] })
    ecs = jsonencode({ Version = "2012-10-17", Statement = [local.task_runs_as] })
  }
  trust = local.trusts[var.host]

  boundary = var.permissions_boundary == "" ? null : "arn:${local.partition}:iam::${local.account}:policy/${var.permissions_boundary}"
}
