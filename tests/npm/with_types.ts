// A client written against the types that openapi-typescript makes of the document.
import createClient from "openapi-fetch";
import type { paths } from "./schema";

declare const process: { argv: string[]; exitCode: number };

const [url, key] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl: url, headers: { "x-api-key": key } });

async function main(): Promise<void> {
  const created = await client.POST("/api/accounts", {
    body: { username: "typed.client", password: "correct-horse-battery", algorithm: "SHA-256", activated: true },
  });
  const account = created.data!;
  const listed = await client.GET("/api/accounts", { params: { query: { activated: true, search: "typed" } } });
  const names = listed.data!.data.map((one) => one.username);
  const refused = await client.POST("/api/accounts", {
    body: { username: "typed.client", password: "correct-horse-battery", algorithm: "SHA-256" },
  });
  const deleted = await client.DELETE("/api/accounts/{id}", { params: { path: { id: account.id } } });
  const gone = await client.GET("/api/accounts/{id}", { params: { path: { id: account.id } } });
  const wrong = Object.keys((refused.error as { errors: object }).errors);
  console.log(JSON.stringify([account.activated, names, wrong, deleted.response.status, gone.response.status]));
}

main();
