// SPDX-License-Identifier: Apache-2.0
// run-tests.mjs TREE OUT: bundles the tests of TREE/test/unit into OUT and runs them with node alone, as TAP.
import * as child from "node:child_process";
import * as fs from "node:fs";
import {createRequire} from "node:module";
import * as path from "node:path";

const [tree, out] = process.argv.slice(2).map(name => path.resolve(name));
const esbuild = createRequire(path.join(tree, "package.json"))("esbuild");
const folder = path.join(tree, "test/unit");
const tests = fs.readdirSync(folder).filter(name => /\.test\.tsx?$/.test(name)).sort();

fs.rmSync(out, {recursive: true, force: true});
await esbuild.build({
  absWorkingDir: tree, entryPoints: tests.map(name => path.join(folder, name)), outdir: out, outExtension: {".js": ".mjs"},
  bundle: true, format: "esm", platform: "node", target: "node18", jsx: "automatic", jsxImportSource: "preact",
  preserveSymlinks: true, sourcemap: "inline", logLevel: "warning",
});
// One file that imports them all: its points are of the top level, where meson counts them.
fs.writeFileSync(path.join(out, "all.mjs"), tests.map(name => `import "./${name.replace(/\.tsx?$/, ".mjs")}";\n`).join(""));
const {status} = child.spawnSync(process.execPath, ["--enable-source-maps", "--test-reporter=tap", path.join(out, "all.mjs")],
  {stdio: "inherit", env: {...process.env, TZ: "UTC", LC_ALL: "C.UTF-8"}});
process.exit(status ?? 1);
