"""Who the caller is at the platform, as frozen snapshots; and the bucket of the organization, with its keys.

The keys are secrets. They are in no model that users get.
"""

from __future__ import annotations

from attrs import field, frozen

from ._core._secret import Secret


@frozen
class User:
    """The user whose token the client sends, as `Me.user` holds it.

        user = (await client.me()).user
        print(user.user_id, user.email, user.name)

    `user_id` is the id, as `RunDetails.triggered_by` has it. `email` and `name` are None, the default, if the
    platform does not send them.
    """

    user_id: str
    """The id, as `RunDetails.triggered_by` has it."""
    email: str | None = None
    """The e-mail address; None, the default, if the platform does not send it."""
    name: str | None = None
    """The name, for people; None, the default, if the platform does not send it."""


@frozen
class Organization:
    """The organization for which the user works, as `Me.organization` holds it.

        organization = (await client.me()).organization
        print(organization.organization_id, organization.display_name, organization.bucket)

    `organization_id` is the id, as `RunDetails.organization_id` has it. `name` is the short name and
    `display_name` the one for people. `bucket` is the address of the bucket that the platform provides for
    the organization, such as `gs://name`; `store="platform"` uploads to it. All but the id are None, the
    default, if the platform does not send them.
    """

    organization_id: str
    """The id, as `RunDetails.organization_id` has it."""
    name: str | None = None
    """The short name; None, the default, if the platform does not send it."""
    display_name: str | None = None
    """The name for people; None, the default, if the platform does not send it."""
    bucket: str | None = None
    """The address of the bucket that the platform provides for the organization, such as `gs://name`; None,
    the default, without one.

    `store="platform"` uploads to it. Its keys are not here.
    """


@frozen
class Me:
    """The user and the organization of a client, as `Client.me` returns them.

        me = await client.me()
        print(me.user.email, me.organization.display_name)

    `user` is the `User` whose token the client sends. `organization` is the `Organization` of that user, or
    the one that was chosen at the login.
    """

    user: User
    """The user whose token the client sends."""
    organization: Organization
    """The organization of that user, or the one that was chosen at the login."""


@frozen
class OrganizationBucket:
    """The bucket that the platform provides for an organization, and the HMAC key for it.

        bucket = await context.organization_bucket()
        print(bucket.address)

    `protocol` is the scheme of its address, such as `gs`, and `name` its name; both are empty without a
    bucket. `key_id` and `key_secret` are the two halves of the key, each a `Secret`, empty without a key.
    """

    protocol: str
    """The protocol of the bucket, `gs`; empty without a bucket."""
    name: str
    """The name of the bucket; empty without one."""
    key_id: Secret = field(repr=False)
    """The access id of the HMAC key; empty without one."""
    key_secret: Secret = field(repr=False)
    """The secret of the HMAC key; empty without one."""

    @property
    def address(self) -> str | None:
        """The address without a key, such as `gs://name`; None without a bucket."""
        return f"{self.protocol}://{self.name}" if self.protocol and self.name else None
