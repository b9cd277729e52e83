declare module "*.css";

/** A part of the catalogue; see `sentences.ts`. */
declare module "virtual:sentences/*" {
  const sentences: Readonly<Record<string, string>>;
  export default sentences;
}
