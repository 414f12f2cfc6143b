import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { LANGUAGES, type Message, type TextSection } from "./text.ts";

const NOT_SECTIONS = new Set(["text.ts", "formats.ts", "language.ts"]);

async function sectionsOf(file: string): Promise<readonly (readonly [string, TextSection<string>])[]> {
  const module = (await import(`./${file}`)) as Record<string, unknown>;
  return Object.entries(module).filter((entry): entry is [string, TextSection<string>] => {
    const [, value] = entry;
    return typeof value === "object" && value !== null && "en" in value;
  });
}

function formsOf(message: Message): readonly string[] {
  return typeof message === "string" ? [message] : [message.one, message.other];
}

function placeholdersOf(message: Message): readonly string[] {
  const found = formsOf(message).flatMap((form) => [...form.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!));
  return [...new Set(found)].sort();
}

const files = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && !NOT_SECTIONS.has(file))
  .sort();

test("every section of text has the same messages with the same values in every language, and none is empty", async () => {
  assert.ok(files.length > 0);
  for (const file of files) {
    const sections = await sectionsOf(file);
    assert.ok(sections.length > 0, `${file} exports no section`);
    for (const [name, section] of sections) {
      const keys = Object.keys(section.en).sort();
      for (const language of LANGUAGES) {
        assert.deepEqual(Object.keys(section[language]).sort(), keys, `${file} ${name} ${language}`);
        for (const key of keys) {
          const where = `${file} ${name}.${language}.${key}`;
          for (const form of formsOf(section[language][key]!)) assert.notEqual(form.trim(), "", where);
          assert.deepEqual(placeholdersOf(section[language][key]!), placeholdersOf(section.en[key]!), where);
        }
      }
    }
  }
});
