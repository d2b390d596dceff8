/* What starting a static program costs at least. */
int main(void) { return 0; }
