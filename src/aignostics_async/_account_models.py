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

    The platform may leave out everything but the id.
    """

    user_id: str
    """The id, as `RunDetails.triggered_by` names it."""
    email: str | None = None
    """The e-mail address; None if the platform does not tell it."""
    name: str | None = None
    """The name, for people; None if the platform does not tell it."""


@frozen
class Organization:
    """The organization for which the user works, as `Me.organization` holds it.

        organization = (await client.me()).organization
        print(organization.organization_id, organization.display_name, organization.bucket)

    The platform may leave out everything but the id. It holds no credentials.
    """

    organization_id: str
    """The id, as `RunDetails.organization_id` names it."""
    name: str | None = None
    """The short name; None if the platform does not tell it."""
    display_name: str | None = None
    """The name for people; None if the platform does not tell it."""
    bucket: str | None = None
    """The address of the bucket that the platform gives to the organization, such as `gs://name`; None
    without one.

    `store="platform"` uploads to it. Its keys are not here.
    """


@frozen
class Me:
    """The user and the organization of a client, as `Client.me` returns them.

        me = await client.me()
        print(me.user.email, me.organization.display_name)

    The organization is that of the user, or the one that the login chose.
    """

    user: User
    """The user whose token the client sends."""
    organization: Organization
    """The organization of that user, or the one that the login chose."""


@frozen
class OrganizationBucket:
    """The bucket that the platform gives to an organization, and the HMAC key for it."""

    protocol: str
    """What the bucket speaks: `gs`."""
    name: str
    """The name of the bucket; empty without one."""
    key_id: Secret = field(repr=False)
    """The access id of the HMAC key."""
    key_secret: Secret = field(repr=False)
    """The secret of the HMAC key."""

    @property
    def address(self) -> str | None:
        """The address without a key, such as `gs://name`; None without a bucket."""
        return f"{self.protocol}://{self.name}" if self.name else None
