package dataset
import ("testing";"os";"fmt")
func TestDbg(t *testing.T){
 p:=os.Getenv("DBG"); if p=="" {t.Skip()}
 b,_:=os.ReadFile(p)
 dir:=t.TempDir(); c:=&copier{dir:dir}; f,_:=os.Open(p); us,err:=c.open(t.Context(),p,f); if err!=nil {t.Fatal(err)}
 _=b
 s,_:=readSample(us[0].Path)
 for _,d:=range delimiters { for _,g:=range grammars(s,d,MappingOptions{}) { r,err:=readWith(s,g); if err!=nil {fmt.Println(g,err);continue}
  r.findHeader(0,0,headerScorer("",Mapping{}))
  fmt.Printf("%q %q bs=%v pad=%v n=%d modal=%d share=%.2f pat=%.3f typ=%.3f flaw=%d quoted=%d hdr=%d known=%d score=%.3f ok=%v\n",d,g.Quote,g.Backslash,r.Pad,len(r.records),r.modal,r.share,r.pattern,r.types,r.flawed,r.quoted,r.header,r.known,r.score(),r.plausible()) }}
 tab,rows,err:=loadedTable(t,p,string(b)); if err!=nil {t.Fatal(err)}
 fmt.Printf("%+v\n",tab.Dialect); fmt.Printf("hdr %q\n",tab.Layout.HeaderRows)
 for i:=0;i<len(rows)&&i<6;i++ {fmt.Printf("%.300q\n",rows[i])}
 fmt.Println(len(rows),"rows", "set aside", tab.broken!=nil && tab.broken.rows>0, tab.RaggedN, tab.Footer, tab.Others, tab.Heads)
 if tab.broken!=nil { x,_:=os.ReadFile(tab.broken.path); fmt.Printf("%.600s\n",x)}
}
