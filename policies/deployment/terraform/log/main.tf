# The table of a log that outlives the machine. Only for an installation of several hosts. In the account of the hub, in
# the region where rescind runs.
#
# Each item of the log is put where none stands, and never changed. IAM cannot ask for that: the condition is of the
# request, not of the permission. What IAM can do is here: nobody but the hub puts, and nobody changes or deletes. The
# one item that is put again and again is the lease.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.id
}

resource "aws_dynamodb_table" "log" {
  name         = local.name
  billing_mode = "PAY_PER_REQUEST"
  # No sort key: the position is in the hash key, so that the log spreads over partitions.
  hash_key                    = "pk"
  deletion_protection_enabled = true
  tags                        = { Name = local.name }

  attribute {
    name = "pk"
    type = "S"
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled = true
  }

  dynamic "replica" {
    for_each = var.replica_regions

    content {
      region_name                 = replica.value
      consistency_mode            = "STRONG"
      deletion_protection_enabled = true
      point_in_time_recovery      = true
      propagate_tags              = true
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_dynamodb_resource_policy" "log" {
  for_each = local.table_policies

  region       = each.key
  resource_arn = "arn:${local.partition}:dynamodb:${each.key}:${local.account}:table/${aws_dynamodb_table.log.name}"
  policy       = local.table_policies[each.key]
}
