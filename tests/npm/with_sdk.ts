// A client that calls the functions that hey-api makes of the document.
import { client } from "./sdk/client.gen";
import { deleteAccountById, getAccountById, getAccounts, postAccounts } from "./sdk";

declare const process: { argv: string[]; exitCode: number };

const [url, key] = process.argv.slice(2);
client.setConfig({ baseUrl: url, headers: { "x-api-key": key } });

async function main(): Promise<void> {
  const body = { username: "sdk.client", password: "correct-horse-battery", algorithm: "SHA-256" as const };
  const created = await postAccounts({ body: { ...body, activated: true } });
  const account = created.data!;
  const listed = await getAccounts({ query: { activated: true, search: "sdk" } });
  const names = listed.data!.data.map((one) => one.username);
  const refused = await postAccounts({ body });
  const deleted = await deleteAccountById({ path: { id: account.id } });
  const gone = await getAccountById({ path: { id: account.id } });
  const wrong = Object.keys((refused.error as { errors: object }).errors);
  console.log(JSON.stringify([account.activated, names, wrong, deleted.response!.status, gone.response!.status]));
}

main();
