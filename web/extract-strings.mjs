// SPDX-License-Identifier: Apache-2.0
// extract-strings.mjs TREE TEMPLATE: the page's texts as a gettext template.
//
// xgettext loses strings behind an apostrophe in markup, so that it is given what esbuild makes of each file; a comment before
// each piece says where it came from.
import * as child from "node:child_process";
import * as fs from "node:fs";
import {createRequire} from "node:module";
import * as os from "node:os";
import * as path from "node:path";

const [tree, template] = process.argv.slice(2).map(name => path.resolve(name));
const esbuild = createRequire(path.join(tree, "package.json"))("esbuild");
const root = path.join(tree, "src");
const files = fs.readdirSync(root, {recursive: true}).map(String).filter(name => /\.tsx?$/.test(name)).sort();

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sluice-texts-"));
try {
  const made = files.map(name => {
    const {code} = esbuild.transformSync(fs.readFileSync(path.join(root, name), "utf8"), {loader: name.endsWith("x") ? "tsx" : "ts", jsx: "automatic", charset: "utf8"});
    const file = path.join("web/src", name.replace(/\.tsx?$/, ".js"));
    fs.mkdirSync(path.dirname(path.join(folder, file)), {recursive: true});
    fs.writeFileSync(path.join(folder, file), code);
    return file;
  });
  child.execFileSync("xgettext", ["--language=JavaScript", "--from-code=UTF-8", "--keyword", "--keyword=_", "--keyword=ngettext:1,2", "--keyword=pgettext:1c,2",
    "--package-name=sluice-web", "--no-location", "--force-po", "--output=" + template, ...made], {cwd: folder, stdio: ["ignore", "inherit", "inherit"]});
} finally {
  fs.rmSync(folder, {recursive: true, force: true});
}
