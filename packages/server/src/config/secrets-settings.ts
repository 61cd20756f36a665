/** Settings of secrets: what seals them, and where else they are kept. A section of the schema in config-schema.ts. */
import { choice, optionalText, text } from "./setting.ts";

export const secretsSettings = {
  key: choice({
    of: ["file", "passphrase", "transit"],
    default: "file",
    description:
      "What the key comes from that seals secrets: keys/secrets.key, a passphrase, or Vault's transit engine.",
    why: "a file needs nobody at the start; the others keep a copied data folder closed",
  }),
  passphrase: optionalText({
    default: undefined,
    description: "For `secrets.key: passphrase`; at least 16 characters.",
    why: "a key file is made at the first start",
    secret: true,
  }),
  folder: optionalText({
    default: undefined,
    description:
      "A folder of files with secrets, as containers mount them, that `secret set --mounted` may name.",
    why: "nothing outside of the data folder is read unless it was granted",
  }),
  vault: {
    url: optionalText({
      default: undefined,
      description: "Address of a HashiCorp Vault or OpenBao, such as https://vault.example.org:8200.",
      why: "one machine needs no Vault",
    }),
    token: optionalText({
      default: undefined,
      description: "The token to use there; or give `roleId` and `secretId`.",
      why: "its policy says what may be read",
      secret: true,
    }),
    roleId: optionalText({
      default: undefined,
      description: "The role to log in with at Vault's AppRole method.",
      why: "a token that renews itself, for servers",
    }),
    secretId: optionalText({
      default: undefined,
      description: "The secret of that role.",
      why: "belongs to `roleId`",
      secret: true,
    }),
    namespace: optionalText({
      default: undefined,
      description: "Vault's namespace, where it has any.",
      why: "an edition of Vault for several tenants has them",
    }),
    mount: text({
      default: "secret",
      description: "Where the KV engine (version 2) is mounted.",
      why: "Vault's own default",
    }),
    transitMount: text({
      default: "transit",
      description: "Where the transit engine is mounted.",
      why: "Vault's own default",
    }),
    transitKey: text({
      default: "homeostat",
      description: "Name of the key in the transit engine that wraps the key of the secrets.",
      why: "one key for one installation",
    }),
  },
};
