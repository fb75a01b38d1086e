// Builds the console's styles, copies the scripts it serves (into ../static/console/build) and the fonts of the papers
// that the office makes (into office/documents/papers/fonts). Run by `npm run build`.
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { compile } from "sass";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "static", "console", "build");
mkdirSync(out, { recursive: true });
const { css } = compile(join(here, "console.scss"), {
  loadPaths: [join(here, "node_modules")],
  style: "compressed",
  quietDeps: true,
});
writeFileSync(join(out, "console.css"), css);
cpSync(
  join(here, "node_modules", "govuk-frontend", "dist", "govuk", "govuk-frontend.min.js"),
  join(out, "govuk-frontend.min.js"),
);

// The fonts of the papers that the node prints (OFL 1.1): two of the nine weights, read by typst, never served.
const fonts = join(here, "..", "..", "..", "office", "documents", "papers", "fonts");
const noto = join(here, "node_modules", "@expo-google-fonts", "noto-sans-sc");
mkdirSync(fonts, { recursive: true });
for (const weight of ["400Regular", "700Bold"]) {
  const name = `NotoSansSC_${weight}.ttf`;
  cpSync(join(noto, weight, name), join(fonts, name));
}
cpSync(join(noto, "LICENSE_FONT"), join(fonts, "LICENSE_FONT"));
