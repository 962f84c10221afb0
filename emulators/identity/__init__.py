"""An identity provider, emulated: OpenID Connect with authorization code and PKCE, strict about both."""

from emulators.identity.app import Client, IdentityProvider, Person

__all__ = ["Client", "IdentityProvider", "Person"]
