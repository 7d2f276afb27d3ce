/** Where to go after signing in: a place of this app, never another site. */
export function safeNext(next: string | null): string {
  return next && next.startsWith("/") && !next.startsWith("//") && !next.includes("\\") ? next : "/";
}

/** How hard a password is to guess, roughly: length first, variety second. 0 too short … 3 good. */
export function passwordStrength(password: string): 0 | 1 | 2 | 3 {
  if (password.length < 8) return 0;
  const kinds = [/\p{Ll}/u, /\p{Lu}/u, /\p{N}/u, /[^\p{L}\p{N}]/u].filter((kind) => kind.test(password)).length;
  const distinct = new Set(password).size;
  if (distinct < 5 || password.length < 10) return 1;
  if (password.length >= 16 && distinct >= 8) return 3;
  return kinds >= 3 || password.length >= 13 ? 2 : 1;
}
