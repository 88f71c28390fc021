// Writes api.ts from openapi.json as openapi-typescript does, with files as File or Blob instead of string.
import fs from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";
import ts from "typescript";

const files = ["File", "Blob"].map((name) => ts.factory.createTypeReferenceNode(name));
const ast = await openapiTS(new URL("openapi.json", `file://${process.cwd()}/`), {
  transform: (schema) => (schema.format === "binary" ? ts.factory.createUnionTypeNode(files) : undefined),
});
fs.writeFileSync("api.ts", astToString(ast));
