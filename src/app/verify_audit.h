/* verify_audit: `vsoc verify audit FILE`: whether the audit log in a state database is what was written. */
#ifndef APP_VERIFY_AUDIT_H
#define APP_VERIFY_AUDIT_H

/* Prints one JSON object; the exit code of the program: 0 sound, 1 something is wrong, 2 the file is not usable. */
int verify_audit(const char *path);

#endif
