/** The session cookie: its name and its one safe form. */

export const sessionCookieName = "homeostat_session";

/**
 * A Set-Cookie value. HttpOnly keeps scripts away; SameSite=Strict and the Origin check keep other pages away. `maxAgeSeconds`
 * 0 with an empty value removes it.
 */
export function formatSessionCookie(value: string, maxAgeSeconds: number, isSecure: boolean): string {
  const secure = isSecure ? "; Secure" : "";
  return `${sessionCookieName}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict${secure}`;
}
