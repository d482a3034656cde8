import java.io.FileInputStream;
import java.util.Map;
import java.util.TreeMap;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/** Holds PDF files against PDF/UA-1 (ISO 14289-1), as far as a machine can: prints a line each, and what fails. */
public class Check {
  public static void main(String[] files) throws Exception {
    VeraGreenfieldFoundryProvider.initialise();
    boolean good = true;
    for (String file : files) {
      try (PDFAParser parser = Foundries.defaultInstance().createParser(new FileInputStream(file), PDFAFlavour.PDFUA_1)) {
        ValidationResult result = Foundries.defaultInstance().createValidator(PDFAFlavour.PDFUA_1, 100, false, true, false).validate(parser);
        good &= result.isCompliant();
        System.out.println((result.isCompliant() ? "ok " : "FAILS ") + file + ": " + result.getTotalAssertions() + " assertions");
        Map<String, Integer> failed = new TreeMap<>();
        for (TestAssertion a : result.getTestAssertions()) {
          if (a.getStatus() == TestAssertion.Status.FAILED) {
            failed.merge(a.getRuleId().getClause() + " test " + a.getRuleId().getTestNumber() + ": " + a.getMessage() + " at " + a.getLocation().getContext(), 1, Integer::sum);
          }
        }
        failed.forEach((what, times) -> System.out.println("  " + times + " times " + what));
      }
    }
    System.exit(good ? 0 : 1);
  }
}
