// SPDX-License-Identifier: Apache-2.0
// build.mjs TREE OUT DEPFILE CATALOGS: the page in OUT, from TREE (install-packages) and the folder of catalogs.
//
// OUT/index.html, OUT/favicon.svg, OUT/assets/NAME-HASH.{js,css,json}, and each once more as .br and .gz. The same input gives
// the same bytes.
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import {createRequire} from "node:module";
import * as path from "node:path";
import * as zlib from "node:zlib";

const [tree, out, depfile, catalogs] = process.argv.slice(2).map(name => path.resolve(name));
const esbuild = createRequire(path.join(tree, "package.json"))("esbuild");
const inputs = new Set();

const common = {
  absWorkingDir: tree,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["chrome123", "firefox120", "safari17.5"],
  charset: "utf8",
  jsx: "automatic",
  jsxImportSource: "preact",
  preserveSymlinks: true,
  tsconfigRaw: {}, // what check-types leaves in the tree must not change the bytes
  legalComments: "none",
  metafile: true,
  outdir: path.join(out, "assets"),
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  logLevel: "warning",
};

/** Pages share what the first visit has loaded, as one file: src/common.ts says why. */
const shared = {
  name: "shared",
  setup: build => build.onLoad({filter: /\/src\/pages\/[^/]+\.tsx$/}, args => ({
    loader: "tsx", contents: `import "../common.ts";\n${fs.readFileSync(args.path, "utf8")}`,
  })),
};

async function bundle(options) {
  const {metafile} = await esbuild.build({...common, ...options});
  for (const name of Object.keys(metafile.inputs))
    if (!name.startsWith("<")) inputs.add(fs.realpathSync(path.join(tree, name)));
  return metafile;
}

const addressOf = name => "/" + path.relative(out, path.resolve(tree, name)).split(path.sep).join("/");

/** entry point → its file in the metafile. */
function entryOf(metafile, entry) {
  const found = Object.entries(metafile.outputs).find(([, value]) => value.entryPoint === entry);
  if (!found) throw new Error(`${entry} was not built`);
  return found;
}

function copyCatalogs() {
  const known = {};
  for (const name of fs.readdirSync(catalogs).filter(file => file.endsWith(".json")).sort()) {
    const bytes = fs.readFileSync(path.join(catalogs, name));
    const hash = crypto.createHash("sha256").update(bytes).digest("hex").slice(0, 8).toUpperCase();
    const file = `${path.basename(name, ".json")}-${hash}.json`;
    fs.writeFileSync(path.join(out, "assets", file), bytes);
    known[path.basename(name, ".json").replace(/_/g, "-")] = `/assets/${file}`;
  }
  return known;
}

function compress(folder) {
  for (const name of fs.readdirSync(folder)) {
    const file = path.join(folder, name);
    if (fs.statSync(file).isDirectory()) {
      compress(file);
      continue;
    }
    const bytes = fs.readFileSync(file);
    fs.writeFileSync(file + ".gz", zlib.gzipSync(bytes, {level: 9}));
    fs.writeFileSync(file + ".br", zlib.brotliCompressSync(bytes, {params: {
      [zlib.constants.BROTLI_PARAM_QUALITY]: 11, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length}}));
  }
}

fs.rmSync(out, {recursive: true, force: true});
fs.mkdirSync(path.join(out, "assets"), {recursive: true});
const worker = await bundle({entryPoints: {events: "src/events-worker.ts"}});
const page = await bundle({
  entryPoints: {main: "src/main.tsx", style: "src/styles/main.css"},
  splitting: true,
  plugins: [shared],
  define: {
    __EVENTS__: JSON.stringify(addressOf(entryOf(worker, "src/events-worker.ts")[0])),
    __CATALOGS__: JSON.stringify(copyCatalogs()),
  },
});
const [main, facts] = entryOf(page, "src/main.tsx");
const [style] = entryOf(page, "src/styles/main.css");
const preload = facts.imports.filter(item => item.kind === "import-statement")
  .map(item => `<link rel="modulepreload" href="${addressOf(item.path)}">`);
fs.writeFileSync(path.join(out, "index.html"), fs.readFileSync(path.join(tree, "src/index.html"), "utf8")
  .replace("%HEAD%", [`<link rel="stylesheet" href="${addressOf(style)}">`, ...preload,
    `<script type="module" src="${addressOf(main)}"></script>`].join("\n  ")));
fs.copyFileSync(path.join(tree, "src/favicon.svg"), path.join(out, "favicon.svg"));
compress(out);
for (const name of ["src/index.html", "src/favicon.svg"]) inputs.add(fs.realpathSync(path.join(tree, name)));
const escape = name => name.replace(/ /g, "\\ ");
fs.writeFileSync(depfile, `${escape(path.relative(process.cwd(), out))}: ${[...inputs].sort().map(escape).join(" ")}\n`);
