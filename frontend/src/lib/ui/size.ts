import { t } from "$lib/i18n/runtime";
import { formatNumber } from "$lib/i18n/format";

/** A size in bytes for people. 1 KB is 1,024 bytes. */
export function fileSize(bytes: number): string {
  if (bytes < 1024) return t("size.bytes", { n: bytes });
  if (bytes < 1024 * 1024) return t("size.kb", { n: formatNumber(Math.round(bytes / 1024)) });
  return t("size.mb", { n: formatNumber(Math.round((bytes / 1024 / 1024) * 10) / 10) });
}
