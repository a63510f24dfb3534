//! What is shared with other accounts: it can be copied there.

use super::row::{Row, row};
use crate::trail::Meaning::Persists;
use crate::trail::{Thing, read};

const SHARED: &str =
    "Those in the other account, if the account is a known one. What they copied stays with them.";

pub(super) const ROWS: &[Row] = &[
    row(&["ec2:ModifySnapshotAttribute"], Persists, Thing::SharedSnapshot)
        .when(|record| read::has(record, "in.createVolumePermission.add"))
        .object(&["in.snapshotId"])
        .names(&[
            ("snapshot", &["in.snapshotId"]),
            ("accounts", &["in.createVolumePermission.add.items.*.userId"]),
            ("groups", &["in.createVolumePermission.add.items.*.group"]),
        ])
        .principals(&[
            "in.createVolumePermission.add.items.*.userId",
            "in.createVolumePermission.add.items.*.group",
        ])
        .why("The other account can copy the disk, and keep the copy.")
        .look(&["aws ec2 describe-snapshot-attribute --snapshot-id {snapshot} --attribute createVolumePermission"])
        .take_away(&[
            "aws ec2 modify-snapshot-attribute --snapshot-id {snapshot} --attribute createVolumePermission --operation-type remove [--user-ids {*accounts}] [--group-names {*groups}]",
        ])
        .needed_by(SHARED)
        .source("EC2 API Reference, ModifySnapshotAttribute; Stratus Red Team ec2-share-ebs-snapshot; ATT&CK T1537"),
    row(&["ec2:ModifyImageAttribute"], Persists, Thing::SharedImage)
        .when(|record| read::has(record, "in.launchPermission.add"))
        .object(&["in.imageId"])
        .names(&[
            ("image", &["in.imageId"]),
            ("accounts", &["in.launchPermission.add.items.*.userId"]),
            ("groups", &["in.launchPermission.add.items.*.group"]),
            ("organizations", &["in.launchPermission.add.items.*.organizationArn"]),
        ])
        .principals(&[
            "in.launchPermission.add.items.*.userId",
            "in.launchPermission.add.items.*.group",
            "in.launchPermission.add.items.*.organizationArn",
        ])
        .why("The other account can start the image and read its disks.")
        .look(&["aws ec2 describe-image-attribute --image-id {image} --attribute launchPermission"])
        .take_away(&[
            "aws ec2 modify-image-attribute --image-id {image} --attribute launchPermission --operation-type remove [--user-ids {*accounts}] [--user-groups {*groups}] [--organization-arns {*organizations}]",
        ])
        .needed_by(SHARED)
        .source("EC2 API Reference, ModifyImageAttribute; Stratus Red Team ec2-share-ami; ATT&CK T1537"),
    row(&["rds:ModifyDBSnapshotAttribute"], Persists, Thing::SharedDatabaseSnapshot)
        .when(|record| read::has(record, "in.valuesToAdd"))
        .object(&["in.dBSnapshotIdentifier"])
        .names(&[("snapshot", &["in.dBSnapshotIdentifier"]), ("accounts", &["in.valuesToAdd.*"])])
        .principals(&["in.valuesToAdd.*"])
        .why("The other account can copy the database, and keep the copy.")
        .look(&["aws rds describe-db-snapshot-attributes --db-snapshot-identifier {snapshot}"])
        .take_away(&[
            "aws rds modify-db-snapshot-attribute --db-snapshot-identifier {snapshot} --attribute-name restore --values-to-remove {*accounts}",
        ])
        .needed_by(SHARED)
        .source("RDS API Reference, ModifyDBSnapshotAttribute; Stratus Red Team rds-share-snapshot; ATT&CK T1537"),
    row(&["rds:ModifyDBClusterSnapshotAttribute"], Persists, Thing::SharedDatabaseSnapshot)
        .when(|record| read::has(record, "in.valuesToAdd"))
        .object(&["in.dBClusterSnapshotIdentifier"])
        .names(&[("snapshot", &["in.dBClusterSnapshotIdentifier"]), ("accounts", &["in.valuesToAdd.*"])])
        .principals(&["in.valuesToAdd.*"])
        .why("The other account can copy the databases, and keep the copy.")
        .look(&["aws rds describe-db-cluster-snapshot-attributes --db-cluster-snapshot-identifier {snapshot}"])
        .take_away(&[
            "aws rds modify-db-cluster-snapshot-attribute --db-cluster-snapshot-identifier {snapshot} --attribute-name restore --values-to-remove {*accounts}",
        ])
        .needed_by(SHARED)
        .source("RDS API Reference, ModifyDBClusterSnapshotAttribute; ATT&CK T1537"),
    row(&["ram:CreateResourceShare"], Persists, Thing::ResourceShare)
        .object(&["out.resourceShare.resourceShareArn", "in.name"])
        .names(&[
            ("share", &["out.resourceShare.resourceShareArn"]),
            ("principals", &["in.principals.*"]),
            ("resources", &["in.resourceArns.*"]),
        ])
        .principals(&["in.principals.*"])
        .why("Others can use the resources in it.")
        .look(&[
            "aws ram get-resource-share-associations --association-type PRINCIPAL --resource-share-arns {share}",
            "aws ram get-resource-share-associations --association-type RESOURCE --resource-share-arns {share}",
        ])
        .take_away(&["aws ram delete-resource-share --resource-share-arn {share}"])
        .source("RAM API Reference, CreateResourceShare; RAM User Guide, CloudTrail entry of CreateResourceShare; ATT&CK T1537"),
    row(&["ram:AssociateResourceShare"], Persists, Thing::ResourceShare)
        .object(&["in.resourceShareArn"])
        .names(&[
            ("share", &["in.resourceShareArn"]),
            ("principals", &["in.principals.*"]),
            ("resources", &["in.resourceArns.*"]),
        ])
        .principals(&["in.principals.*"])
        .why("Others can use the resources in it, or more resources.")
        .look(&[
            "aws ram get-resource-share-associations --association-type PRINCIPAL --resource-share-arns {share}",
            "aws ram get-resource-share-associations --association-type RESOURCE --resource-share-arns {share}",
        ])
        .take_away(&[
            "aws ram disassociate-resource-share --resource-share-arn {share} [--principals {*principals}] [--resource-arns {*resources}]",
        ])
        .needed_by("Those who use the share, if they were in it before.")
        .source("RAM API Reference, AssociateResourceShare; ATT&CK T1537"),
];
