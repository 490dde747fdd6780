# SPDX-License-Identifier: GPL-3.0-or-later
"""What Dovecot 2.3 (Debian 12) and 2.4 (Debian 13) call by different names: all the rest is in dovecot.py.

Each method gives lines of configuration for one purpose. dovecot.py has an instance for the version that is
installed, DovecotServer.settings.
"""


def pop3(port, tls_port=None):
    """POP3 beside IMAP, the same in both."""
    return f"""
protocols = imap pop3
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {port}
  }}
  inet_listener pop3s {{
    port = {tls_port or 0}
    ssl = yes
  }}
}}
"""


class Dovecot23:
    FIRST = ""
    OTHER_UNIQUE_IDS = "x%08Xu%08Xv"  # than those that POP3 has without this format

    def server_certificate(self, certificate):
        return f"ssl_cert = <{certificate}\nssl_key = <{certificate.with_suffix('.key')}\n"

    def mail(self, layout, escape_names):
        """~/Maildir in a layout, optionally with names that it cannot hold stored as \\xx."""
        plugins = " ".join(["zlib", *(["listescape"] if escape_names else [])])
        return f"""
disable_plaintext_auth = no
mail_location = maildir:~/Maildir{':LAYOUT=fs' if layout == 'fs' else ''}
mail_plugins = {plugins}
protocol imap {{
  mail_plugins = {plugins} imap_zlib
}}
"""

    def users(self, passwd):
        lines = f"{{\n  driver = passwd-file\n  args = {passwd}\n}}\n"
        return f"passdb {lines}userdb {lines}"

    def client_certificates(self, ca):
        """Asks clients for a certificate of this authority."""
        return f"ssl_ca = <{ca}\nssl_verify_client_cert = yes\nssl_require_crl = no\n"

    def sign_in_by_certificate(self):
        """EXTERNAL, for whom the certificate names."""
        return ("passdb {\n  driver = static\n  mechanisms = external\n  args = nopassword=y\n}\n"
                "auth_ssl_username_from_cert = yes\n")

    def sign_in_by_kerberos(self, keytab, krb5_configuration):
        return (f"auth_krb5_keytab = {keytab}\nauth_gssapi_hostname = \"$ALL\"\n"
                f"import_environment = $import_environment KRB5_CONFIG={krb5_configuration}\n")

    def sign_in_by_token(self, directory):
        """Tokens that are validated with the keys below directory/keys."""
        settings = directory / "oauth2.conf.ext"
        settings.write_text(f"introspection_mode = local\nusername_attribute = sub\n"
                            f"local_validation_key_dict = fs:posix:prefix={directory}/keys/\n")
        return f"passdb {{\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = {settings}\n}}\n"


class Dovecot24:
    # These have to be the first two; features of later versions are not needed.
    FIRST = "dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\n"
    OTHER_UNIQUE_IDS = "x%{uid | hex(8)}%{uidvalidity | hex(8)}"

    def server_certificate(self, certificate):
        return f"ssl_server_cert_file = {certificate}\nssl_server_key_file = {certificate.with_suffix('.key')}\n"

    def mail(self, layout, escape_names):
        escape = 'mailbox_list_storage_escape_char = "\\\\"\n' if escape_names else ""
        return f"""
auth_allow_cleartext = yes
mail_driver = maildir
mail_path = ~/Maildir
mailbox_list_layout = {layout}
{escape}"""

    def users(self, passwd):
        lines = f"passwd-file {{\n  passwd_file_path = {passwd}\n}}\n"
        return f"passdb {lines}userdb {lines}"

    def client_certificates(self, ca):
        return (f"ssl_server_ca_file = {ca}\nssl_server_request_client_cert = yes\n"
                "ssl_server_require_crl = no\n")

    def sign_in_by_certificate(self):
        return ("passdb static {\n  mechanisms_filter = external\n  fields {\n    nopassword = yes\n  }\n}\n"
                "auth_ssl_username_from_cert = yes\n")

    def sign_in_by_kerberos(self, keytab, krb5_configuration):
        return (f"auth_krb5_keytab = {keytab}\nauth_gssapi_hostname = $ALL\n"
                f"import_environment {{\n  KRB5_CONFIG = {krb5_configuration}\n}}\n")

    def sign_in_by_token(self, directory):
        return f"""
oauth2 {{
  introspection_mode = local
  username_attribute = sub
  oauth2_local_validation {{
    dict fs {{
      fs posix {{
        prefix = {directory}/keys/
      }}
    }}
  }}
}}
"""


def of_version(version):
    return Dovecot23() if version.startswith("2.3") else Dovecot24()
